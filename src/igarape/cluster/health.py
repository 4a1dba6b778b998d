"""How a cluster is, in one line: what `igarape doctor` says of it."""

import os

from igarape.cluster.settings import ADDRESS, cluster_address, needs
from igarape.findings import Finding, good, wrong


def look() -> Finding:
    """Look whether the cluster that IGARAPE_CLUSTER names answers, lets us in, and has what the largest tasks ask for.

    These are trainings: they take as many processors as this machine has, where nothing else is said.
    """
    address = cluster_address()
    if address is None:
        return good(f"{ADDRESS} is not set: this machine alone")
    try:
        from igarape.cluster.probe import check_cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        return wrong(f"{address}: Ray is not installed. In the project's folder type: pip install -e '.[cluster]'")
    findings = check_cluster(address, needs(os.cpu_count() or 1))
    if findings[-1].level == "wrong":
        return wrong(f"{address}: {findings[-1].said}")
    return good(f"{address}: " + "; ".join(finding.said for finding in findings[1:]))
