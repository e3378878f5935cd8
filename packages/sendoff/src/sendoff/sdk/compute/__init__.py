"""SDK v1's compute targets.

Loading any file of this room loads all kinds, which ``ComputeTarget(ws, name)`` chooses from.
"""

from . import aks as aks
from . import amlcompute as amlcompute
from . import instance as instance
from . import kubernetes as kubernetes
from . import remote as remote
