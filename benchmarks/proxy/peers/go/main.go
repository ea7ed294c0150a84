// A reverse proxy of Go's standard library: main LISTEN_PORT MODEL_PORT [SINK_PORT].
// With a sink it also posts two events for each request, as KServe's agent does: five workers behind a bounded queue.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

type event struct {
	kind, id string
	body     []byte
}

var (
	queue   = make(chan event, 100)
	dropped atomic.Int64
)

func send(client *http.Client, sink string) {
	for one := range queue {
		request, _ := http.NewRequest(http.MethodPost, sink, bytes.NewReader(one.body))
		for name, value := range map[string]string{
			"Ce-Specversion": "1.0", "Ce-Id": one.id, "Ce-Type": "org.kubeflow.serving.inference." + one.kind,
			"Ce-Source": "http://localhost:9081/", "Ce-Time": time.Now().UTC().Format(time.RFC3339Nano),
			"Ce-Recordedtime": time.Now().UTC().Format(time.RFC3339Nano), "Ce-Inferenceservicename": "wine",
			"Ce-Namespace": "cellar", "Ce-Component": "predictor", "Ce-Endpoint": "", "Ce-Metadata": "{}",
			"Content-Type": "application/json",
		} {
			request.Header.Set(name, value)
		}
		if response, err := client.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}
}

func offer(one event) {
	select {
	case queue <- one:
	default:
		dropped.Add(1)
	}
}

func main() {
	target, _ := url.Parse("http://127.0.0.1:" + os.Args[2])
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256, MaxIdleConns: 256, DisableCompression: true}
	var handler http.Handler = proxy
	if len(os.Args) > 3 {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
		for range 5 {
			go send(client, "http://127.0.0.1:"+os.Args[3]+"/")
		}
		proxy.ModifyResponse = func(response *http.Response) error {
			body, err := io.ReadAll(response.Body)
			if err == nil {
				response.Body = io.NopCloser(bytes.NewReader(body))
				offer(event{"response", response.Request.Header.Get("X-Request-Id"), body})
			}
			return err
		}
		handler = http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				return
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
			offer(event{"request", request.Header.Get("X-Request-Id"), body})
			proxy.ServeHTTP(writer, request)
		})
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
