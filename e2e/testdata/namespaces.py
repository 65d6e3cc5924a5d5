"""Prints the namespaces of the cluster that KUBECONFIG leads to."""
from kubernetes import client, config

config.load_kube_config()
for namespace in client.CoreV1Api().list_namespace().items:
    print(namespace.metadata.name)
