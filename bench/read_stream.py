"""read_stream: all chips read in the catalog's order from the store, against the same chips as loose files."""

from read_random import compare


def run() -> dict[str, object]:
    """Return chips a second of both, the best of a few rounds."""
    return compare(shuffled=False)


if __name__ == "__main__":
    print(run())
