"""Some faults as tests; `make chaos` inflicts all of them."""

import pytest

from tests.chaos.catalogue import FAULTS
from tests.chaos.fault import Fault, run


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name in {"calm", "redis-empty"}], ids=str)
def test_no_law_is_broken(fault: Fault) -> None:
    """After the fault every payload is accounted for, and every replica shows the right D and one verdict."""
    assert [] == run(fault).broken


def test_names_of_faults_are_unique() -> None:
    """A name on the command line means one fault."""
    assert len(FAULTS) == len({fault.name for fault in FAULTS})
