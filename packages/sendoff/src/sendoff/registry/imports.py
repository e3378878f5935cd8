"""What it means when a pickle imports a name: safe, dangerous, or unknown.

A pickle may call whatever it imports. Safe are names that only build data; dangerous are those that run code, open
files or connections; everything else is unknown. This is a report for people: a list of bad names can always be
got round, so nothing here makes an untrusted pickle fit to be loaded.
"""

from __future__ import annotations

import re

SAFE, UNKNOWN, DANGEROUS = "safe", "unknown", "dangerous"


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


def _names(*pairs: tuple[str, str]) -> frozenset[str]:
    """Each of the names in each of the modules beside them."""
    return frozenset(
        f"{module}.{name}" for modules, names in pairs for module in modules.split() for name in names.split()
    )


_SAFE_NAMES = _names(
    (
        "builtins __builtin__",
        "object set frozenset list dict tuple int long float complex bool bytes bytearray str unicode range "
        "xrange slice NotImplemented Ellipsis Exception ValueError TypeError KeyError RuntimeError",
    ),
    ("copyreg copy_reg", "_reconstructor __newobj__"),
    ("collections", "OrderedDict defaultdict Counter deque"),
    ("datetime", "date datetime time timedelta timezone"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("uuid", "UUID"),
    ("array", "array _array_reconstructor"),
    ("_codecs", "encode"),
    ("io _io", "BytesIO StringIO"),
    ("threading _thread", "RLock Lock allocate_lock"),
    ("pathlib pathlib._local", "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"),
    (
        "numpy",
        "ndarray dtype bool_ matrix int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64",
    ),
    ("numpy.core.multiarray numpy._core.multiarray", "_reconstruct scalar"),
    ("numpy.core.numeric numpy._core.numeric", "_frombuffer"),
    ("numpy.ma.core", "_mareconstruct MaskedArray"),
    ("numpy.random._pickle", "__randomstate_ctor __generator_ctor __bit_generator_ctor"),
    ("numpy.random", "__RandomState_ctor"),
    ("numpy.random.mtrand", "RandomState"),
    ("numpy.random._generator", "Generator"),
    ("numpy.random._mt19937", "MT19937"),
    ("numpy.random._pcg64", "PCG64 PCG64DXSM"),
    (
        "joblib.numpy_pickle sklearn.externals.joblib.numpy_pickle",
        "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper",
    ),
    (
        "torch._utils",
        "_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_qtensor _rebuild_sparse_tensor",
    ),
    (
        "torch",
        "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage "
        "ByteStorage BoolStorage Size device float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8",
    ),
    ("torch.storage", "UntypedStorage TypedStorage"),
    ("sklearn.neighbors._kd_tree sklearn.neighbors._ball_tree", "newObj"),
    ("sklearn.neighbors.kd_tree sklearn.neighbors.ball_tree", "newObj"),
    ("sklearn.metrics._dist_metrics sklearn.neighbors._dist_metrics sklearn.neighbors.dist_metrics", "newObj"),
    ("sklearn._loss.loss", "__pyx_unpickle_CyHalfSquaredError"),
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
    ("pandas.core.indexes.base", "_new_Index Index"),
    ("pandas.core.internals.blocks", "new_block"),
)

_SAFE_CLASSES = re.compile(
    r"(sklearn|scipy\.sparse|scipy\.interpolate|pandas\.core|xgboost\.(core|sklearn)|lightgbm\.(basic|sklearn)|"
    r"catboost\.core|imblearn|torch\.nn\.modules|statsmodels)(\.\w+)*\.(_?[A-Z]\w*|c[os][rco]_(matrix|array))\Z"
)
"""Classes (capitalised names) of libraries that models are made of; their functions are unknown until listed."""

_DANGEROUS_ROOTS = _words(
    # code and processes
    "_aix_support _bootsubprocess _posixsubprocess _thread asyncio bdb cProfile cmd code codeop commands concurrent",
    "ctypes distutils doctest ensurepip gc idlelib imp importlib inspect linecache multiprocessing pdb pip pkgutil",
    "popen2 profile pty pydoc runpy setuptools signal site subprocess sys threading timeit trace venv webbrowser",
    "zipimport",
    # files and other pickles
    "_io _pickle fcntl io mmap nt ntpath os pickle platform posix posixpath resource shelve shutil sqlite3 tarfile",
    "tempfile zipfile",
    # connections
    "_socket aiohttp ftplib http httplib httpx imaplib nntplib paramiko poplib requests smtplib socket socketserver",
    "ssl telnetlib urllib urllib2 urllib3 xmlrpc",
)

_DANGEROUS_NAMES = _names(
    (
        "builtins __builtin__",
        "eval exec compile execfile open file input raw_input __import__ getattr setattr delattr globals locals "
        "vars breakpoint apply reload help",
    ),
    ("operator _operator", "attrgetter methodcaller call"),
    ("functools _functools", "reduce"),
    ("types", "FunctionType LambdaType CodeType MethodType ModuleType new_class"),
    ("marshal", "load loads"),
    ("joblib joblib.numpy_pickle", "load"),
    ("numpy", "load fromfile memmap fromregex loadtxt genfromtxt save"),
    ("pandas", "read_pickle eval"),
    ("pandas.io.pickle", "read_pickle"),
    ("torch torch.serialization", "load"),
    ("uuid", "_get_command_stdout _popen"),
    ("logging.config", "fileConfig dictConfig listen"),
    ("dill dill._dill", "load loads _create_function _create_code _import_module _eval_repr _load_type"),
    ("lib2to3.pgen2.pgen lib2to3.pgen2.grammar", "ParserGenerator Grammar"),
)

_DANGEROUS_MODULES = re.compile(
    r"(numpy\.testing|numpy\.f2py|numpy\.distutils|torch\.hub|torch\.utils\.(cpp_extension|model_zoo)|torch\._inductor|"
    r"torch\.fx\.experimental|sklearn\.externals\._|pandas\.core\.computation|pandas\.io)(\.|\Z)"
)


def verdict(name: str) -> str:
    """What importing ``module.name`` means: ``safe``, ``unknown`` or ``dangerous``."""
    module = name.rpartition(".")[0]
    if name == "?.?" or "" in name.split("."):
        return DANGEROUS  # no pickler computes names: something is hidden here
    if name in _SAFE_NAMES:
        return SAFE
    if name in _DANGEROUS_NAMES or name.split(".")[0] in _DANGEROUS_ROOTS or _DANGEROUS_MODULES.match(module):
        return DANGEROUS
    if module in ("builtins", "__builtin__"):
        return UNKNOWN
    return SAFE if _SAFE_CLASSES.match(name) else UNKNOWN
