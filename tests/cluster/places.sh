# Where the parts of the test cluster are, for the scripts beside this one.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${CLUSTER_HOME:-$HOME/.cache/sendoff-cluster}
run=$home/run logs=$home/logs pki=$home/pki
version=$(sed -n 's#^\tk8s.io/kubernetes \(v[0-9.]*\).*#\1#p' "$here/kubernetes/go.mod" | head -1)

# Programs are shared by whoever keeps the tests' cache; state is one for the machine, for there are its ports and links.
bin=$home/bin/$version
if [ -n "${SENDOFF_TEST_CACHE:-}" ] && [ ! -f "$bin/.built" ]; then bin=$SENDOFF_TEST_CACHE/cluster/$version; fi

node_ip=198.18.0.1 services=198.18.1.0/24 dns=198.18.1.10 pods=198.18.4.0/22 api=https://198.18.0.1:16443
registry=127.0.0.1:15000
export KUBECONFIG=$pki/admin.conf

SECONDS=0
say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }

# One at a time, by a file that is open as 9; what is started must not keep it open.
locked() { mkdir -p "$bin" "$logs"; exec 9>"$home/$1.lock"; flock 9; }

kubectl() { "$bin/kubectl" "$@"; }
ctr() { "$bin/ctr" --address "$run/containerd.sock" --namespace k8s.io "$@"; }
