"""Door 1: stands in front of the model server, passes every byte on, keeps a bounded copy of inferences."""

from sidecar.proxy.door import Proxy, ProxySettings

__all__ = ["Proxy", "ProxySettings"]
