# Certificates and the ways in of the test cluster, for `up`. Good for ten years, and gone with the state: none lapses in use.
ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" 2>/dev/null; }
cert() {  # cert NAME CA SUBJECT [SAN]
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "$3" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s' "${4:+subjectAltName=$4}") 2>/dev/null
}
way_in() {  # way_in NAME: a kubeconfig
  cat > "$1.conf" <<Y
apiVersion: v1
kind: Config
clusters: [{name: sendoff-test, cluster: {server: "$api", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: sendoff-test, context: {cluster: sendoff-test, user: $1}}]
current-context: sendoff-test
Y
}

mkdir -p -m 700 "$pki"
if [ ! -f "$pki/done" ]; then (
  cd "$pki"
  ca ca
  ca front
  cert api ca /CN=api "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:198.18.1.1,IP:$node_ip"
  cert admin ca /O=system:masters/CN=admin
  cert node ca /O=system:nodes/CN=system:node:node-1
  cert aggregator front /CN=aggregator
  openssl genrsa -out sa.key 2048 2>/dev/null
  openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  way_in admin
  way_in node
  touch done
); fi
