"""How a cluster is, in one line: what `igarape doctor` says of it."""

from igarape.cluster.settings import ADDRESS, cluster_address, needs
from igarape.findings import Finding, good, wrong


def look() -> Finding:
    """Look whether the cluster that IGARAPE_CLUSTER names answers, lets us in, and has what a task asks for."""
    address = cluster_address()
    if address is None:
        return good(f"{ADDRESS} is not set: this machine alone")
    try:
        from igarape.cluster.probe import check_cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        return wrong(f"{address}: Ray is not installed. In the project's folder type: pip install -e '.[cluster]'")
    findings = check_cluster(address, needs(1))
    for finding in findings:
        if not finding.well:
            return wrong(f"{address}: {finding.what}: {finding.found}. {finding.remedy}")
    return good(f"{address}: " + "; ".join(finding.found for finding in findings[1:]))
