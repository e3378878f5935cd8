# KEDA's operator and metrics adapter beside the node. For `up --keda`.
kubectl create namespace keda --dry-run=client -o yaml | kubectl apply -f - >/dev/null
crds=$(cd "$here/keda" && go list -m -f '{{.Dir}}' github.com/kedacore/keda/v2)/config/crd/bases
for crd in "$crds"/*.yaml; do kubectl apply --server-side -f "$crd" >/dev/null; done
mkdir -p "$run/keda"
(cd "$pki" && cert keda ca /CN=keda "DNS:localhost,DNS:keda-operator.keda.svc.cluster.local") && cp "$pki/ca.crt" "$run/keda/"
cp "$pki/keda.crt" "$run/keda/tls.crt"; cp "$pki/keda.key" "$run/keda/tls.key"
export POD_NAMESPACE=keda POD_NAME=keda-0 WATCH_NAMESPACE= KEDA_CLUSTER_OBJECT_NAMESPACE=keda
start keda "$bin/keda-operator" --kubeconfig "$KUBECONFIG" \
  --cert-dir "$run/keda" --ca-dir "$run/keda" --metrics-bind-address 127.0.0.1:18081 --health-probe-bind-address 127.0.0.1:18082 \
  --metrics-service-bind-address 127.0.0.1:9666 --enable-webhook-patching=false --enable-apiservice-patching=false
start keda-adapter "$bin/keda-adapter" --lister-kubeconfig "$KUBECONFIG" --authentication-kubeconfig "$KUBECONFIG" --authorization-kubeconfig "$KUBECONFIG" \
  --bind-address $node_ip --secure-port 6443 --tls-cert-file "$run/keda/tls.crt" --tls-private-key-file "$run/keda/tls.key" --client-ca-file "$pki/ca.crt" \
  --cert-dir "$run/keda" --metrics-service-address localhost:9666 --metrics-service-grpc-authority keda-operator.keda.svc.cluster.local --port 18083
sed -e "s/@node@/$node_ip/" "$here/keda/api.yaml" | kubectl apply -f - >/dev/null
until_ok "KEDA" kubectl get --raw /apis/external.metrics.k8s.io/v1beta1
