# Names of services: CoreDNS beside the node, not in a pod; a service without a selector points there. For `up`.
cat > "$run/Corefile" <<Y
.:1053 {
    bind $node_ip
    errors
    kubernetes cluster.local in-addr.arpa {
        endpoint $api
        kubeconfig $KUBECONFIG
        ttl 1
    }
    cache 1
}
Y
start names "$bin/names" -conf "$run/Corefile"
sed -e "s/@node@/$node_ip/; s/@dns@/$dns/" "$here/kubernetes/names/service.yaml" | kubectl apply -f - >/dev/null
until_ok "a service account to run pods" kubectl get serviceaccount default
until_ok "names resolve" python3 "$here/lookup.py" $node_ip 1053 kubernetes.default.svc.cluster.local
