"""python -m igarape: the command line, where its script is not on the PATH."""

from igarape.cli import main

main(prog_name="igarape")
