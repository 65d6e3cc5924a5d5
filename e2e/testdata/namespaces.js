// Prints the namespaces of the cluster that KUBECONFIG leads to.
const { CoreV1Api, KubeConfig } = require("@kubernetes/client-node");

const config = new KubeConfig();
config.loadFromDefault();
config.makeApiClient(CoreV1Api).listNamespace().then(
  (list) => list.items.forEach((namespace) => console.log(namespace.metadata.name)),
  (error) => { console.error(error.message); process.exit(1); },
);
