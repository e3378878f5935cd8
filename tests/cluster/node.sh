# What runs pods: a registry, containerd, kubelet and kube-proxy. For `up`.
mkdir -p "$run/cni" "$run/certs.d"
cat > "$run/registry.yml" <<Y
version: 0.1
storage: {filesystem: {rootdirectory: $run/registry}, delete: {enabled: true}}
http: {addr: $registry}
log: {level: error, accesslog: {disabled: true}}
Y
# Plain http is what clients expect of a registry on loopback.
start registry docker-registry serve "$run/registry.yml"
# The plugin "firewall" lets pods through where Docker has set FORWARD to DROP.
cat > "$run/cni/10-bridge.conflist" <<'Y'
{"cniVersion": "1.0.0", "name": "sendoff", "plugins": [
  {"type": "bridge", "bridge": "sendoff1", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "198.18.4.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "firewall"}]}
Y
cat > "$run/containerd.toml" <<Y
version = 3
root = "$run/containerd"
state = "$run/containerd-state"
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true  # root may lack CAP_SYS_RESOURCE: else no pod starts ("can't get final child's PID")
  netns_mounts_under_state_dir = true  # so that the script down knows which are ours
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "$run/cni"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "sendoff.test/pause:1"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "$run/certs.d"
Y
# Its shim, and not that of a containerd of the distribution.
start containerd env PATH="$bin:$PATH" "$bin/containerd" --config "$run/containerd.toml"
until_ok containerd ctr version
if ! ctr images ls -q 2>/dev/null | grep -q sendoff.test/pause:1; then
  python3 "$here/pause_image.py" "$bin/pause" sendoff.test/pause:1 > "$run/pause.tar"
  ctr images import "$run/pause.tar" >/dev/null 2>&1
fi

mkdir -p "$run/kubelet" "$run/kubelet/static"
: > "$run/kubelet/resolv.conf"
cat > "$run/kubelet/config.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$pki/ca.crt"}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDNS: [$dns]
clusterDomain: cluster.local
resolvConf: $run/kubelet/resolv.conf
containerRuntimeEndpoint: unix://$run/containerd.sock
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, imagefs.available: 0%, nodefs.inodesFree: 0%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
nodeStatusReportFrequency: 10s
syncFrequency: 10s
protectKernelDefaults: false
Y
start kubelet "$bin/kubelet" --config "$run/kubelet/config.yaml" --kubeconfig "$pki/node.conf" --root-dir "$run/kubelet/root" --cert-dir "$run/kubelet/pki" \
  --hostname-override node-1 --node-ip $node_ip
cat > "$run/proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
hostnameOverride: node-1
clusterCIDR: $pods
bindAddress: $node_ip
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
clientConnection: {kubeconfig: "$KUBECONFIG"}
conntrack: {maxPerCore: 0}
Y
start proxy "$bin/kube-proxy" --config "$run/proxy.yaml"
until_ok "the node is ready" kubectl wait --for condition=Ready --timeout 1s node/node-1

