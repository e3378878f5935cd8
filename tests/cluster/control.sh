# What decides: etcd, the API server, controllers and scheduler, on the node's own address. For `up`.
# Not every kernel has dummy interfaces: a bridge without ports holds the node's address.
ip link show sendoff0 >/dev/null 2>&1 || ip link add sendoff0 type bridge
ip addr replace $node_ip/32 dev sendoff0
ip link set sendoff0 up
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
: > "$home/pids"

start etcd "$bin/etcd" --data-dir "$run/etcd" --listen-client-urls http://127.0.0.1:12379 --advertise-client-urls http://127.0.0.1:12379 \
  --listen-peer-urls http://127.0.0.1:12380 --unsafe-no-fsync
start api "$bin/kube-apiserver" --etcd-servers http://127.0.0.1:12379 --secure-port 16443 --bind-address $node_ip --advertise-address $node_ip \
  --service-cluster-ip-range $services --service-node-port-range 30000-30999 --allow-privileged --authorization-mode Node,RBAC \
  --client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/api.crt" --tls-private-key-file "$pki/api.key" \
  --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
  --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key" --kubelet-preferred-address-types InternalIP \
  --requestheader-client-ca-file "$pki/front.crt" --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
  --requestheader-extra-headers-prefix X-Remote-Extra- --proxy-client-cert-file "$pki/aggregator.crt" --proxy-client-key-file "$pki/aggregator.key" \
  --enable-aggregator-routing --profiling=false
until_ok "the API server answers" kubectl get --raw /readyz
start controllers "$bin/kube-controller-manager" --kubeconfig "$KUBECONFIG" --authentication-kubeconfig "$KUBECONFIG" --authorization-kubeconfig "$KUBECONFIG" \
  --bind-address 127.0.0.1 --cluster-cidr $pods --allocate-node-cidrs --node-cidr-mask-size 24 --service-cluster-ip-range $services --leader-elect=false \
  --root-ca-file "$pki/ca.crt" --service-account-private-key-file "$pki/sa.key" --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" \
  --use-service-account-credentials --horizontal-pod-autoscaler-sync-period 5s
start scheduler "$bin/kube-scheduler" --kubeconfig "$KUBECONFIG" --authentication-kubeconfig "$KUBECONFIG" --authorization-kubeconfig "$KUBECONFIG" \
  --bind-address 127.0.0.1 --leader-elect=false

