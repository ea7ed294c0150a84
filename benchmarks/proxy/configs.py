"""The configuration of each native proxy: one worker, keep-alive on both sides, no access log."""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 0; client_body_buffer_size 2m;
  proxy_buffers 8 256k; proxy_busy_buffers_size 512k; proxy_buffer_size 64k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream model {{ server 127.0.0.1:{model}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://model; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 10s
  timeout client 120s
  timeout server 120s
  http-reuse always
  option http-keep-alive
frontend clients
  bind 127.0.0.1:{port} backlog 1024
  default_backend models
backend models
  server model 127.0.0.1:{model} pool-max-conn 256
"""

ENVOY = """
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: clients
          generate_request_id: false
          route_config:
            virtual_hosts:
            - name: model
              domains: ["*"]
              routes: [{{ match: {{ prefix: "/" }}, route: {{ cluster: model, timeout: 120s }} }}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
  clusters:
  - name: model
    connect_timeout: 10s
    circuit_breakers: {{ thresholds: [{{ max_connections: 1024, max_pending_requests: 8192, max_requests: 8192 }}] }}
    load_assignment:
      cluster_name: model
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {model} }} }} }}
"""
