# metrics-server beside the node. For `up --metrics`.
start metrics "$bin/metrics-server" --kubeconfig "$KUBECONFIG" --authentication-kubeconfig "$KUBECONFIG" --authorization-kubeconfig "$KUBECONFIG" \
  --secure-port 4443 --bind-address $node_ip --cert-dir "$run/metrics" --kubelet-insecure-tls --kubelet-preferred-address-types InternalIP --metric-resolution 15s
sed -e "s/@node@/$node_ip/" "$here/metrics/api.yaml" | kubectl apply -f - >/dev/null
until_ok "metrics" kubectl get --raw /apis/metrics.k8s.io/v1beta1/nodes
