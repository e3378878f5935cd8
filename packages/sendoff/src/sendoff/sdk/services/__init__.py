"""SDK v1's services. Loading any file of this room loads all kinds, which ``Webservice(ws, name)`` chooses from."""

from . import aci as aci
from . import aks as aks
from . import local as local
