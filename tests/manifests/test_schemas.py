"""KServe, the Prometheus operator and Kubernetes accept every example."""

import pytest

from tests.support.kserve_examples import NAMES, documents
from tests.support.manifests import custom_faults, has_crd, is_custom, kubernetes_faults, kubernetes_versions


@pytest.mark.parametrize("name", NAMES)
def test_the_crds_accept_it(name: str) -> None:
    """Each custom object has only fields of its CRD, with the right types, if `KUBERNETES_CRDS` has that CRD."""
    objects = [one for one in documents(name) if is_custom(one)]
    faults = [(one["kind"], custom_faults(one)) for one in objects if has_crd(one)]

    assert [] == [fault for fault in faults if fault[1]]
    assert {one["kind"] for one in objects if not has_crd(one)} <= {"LLMInferenceService"}


@pytest.mark.parametrize("name", NAMES)
def test_kubernetes_accepts_it(name: str) -> None:
    """Each core object is valid in Kubernetes from 1.27 to the newest version."""
    versions = kubernetes_versions()
    objects = [one for one in documents(name) if not is_custom(one)]
    faults = [(version, one["kind"], kubernetes_faults(one, version)) for version in versions for one in objects]

    assert [] == [fault for fault in faults if fault[2]]


@pytest.mark.parametrize(
    ("path", "value"),
    [("mode", "sometimes"), ("metadataHeader", "X-Request-Id"), ("metadataHeaders", "X-Request-Id")],
)
def test_the_crds_refuse_faults(path: str, value: str) -> None:
    """A wrong value, a misspelled field and a text instead of a list are faults of the logger block."""
    service = documents("logger")[0]
    service["spec"]["predictor"]["logger"][path] = value

    assert any(path in fault for fault in custom_faults(service))
