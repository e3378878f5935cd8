# Where the cluster's parts are, for the scripts beside this one.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${CLUSTER_HOME:-$HOME/.cache/sendoff-cluster}
version=$(sed -n 's#^\tk8s.io/kubernetes \(v[0-9.]*\).*#\1#p' "$here/kubernetes/go.mod" | head -1)
bin=$home/bin/$version run=$home/run logs=$home/logs pki=$home/pki
node_ip=198.18.0.1 services=198.18.1.0/24 dns=198.18.1.10 pods=198.18.4.0/22 api=https://198.18.0.1:16443
registry=127.0.0.1:15000
mkdir -p "$bin" "$logs"
SECONDS=0
say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }
# One at a time; what is started must not hold the lock.
locked() { exec 9>"$home/$1.lock"; flock 9; }
# A process is meant by its id and when it was started: ids come back, the pair does not.
since() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
lives() { [ -n "$2" ] && [ "$(since "$1")" = "$2" ]; }
ctr() { "$bin/ctr" --address "$run/containerd.sock" --namespace k8s.io "$@"; }
