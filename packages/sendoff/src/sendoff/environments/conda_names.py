"""What conda packages are called on a pip index.

Only names in this table are mapped. A name that is not here is never looked for on a pip index under the same name:
whoever owns that name there may be somebody else altogether (docs/environments.md).
"""

from __future__ import annotations

RENAMED = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-opencv": "opencv-python-headless",
    "opencv": "opencv-python-headless",
    "matplotlib-base": "matplotlib",
    "tensorflow-mkl": "tensorflow",
    "tensorflow-eigen": "tensorflow",
    "tensorflow-base": "tensorflow",
    "keras-base": "keras",
    "keras-gpu": "keras",
    "python-graphviz": "graphviz",
    "pytables": "tables",
    "ruamel_yaml": "ruamel.yaml",
    "msgpack-python": "msgpack",
    "pillow-simd": "pillow",
    "psycopg2": "psycopg2-binary",
    "dask-core": "dask",
    "brotli-python": "brotli",
    "seaborn-base": "seaborn",
    "importlib_metadata": "importlib-metadata",
    "typing_extensions": "typing-extensions",
    "prompt_toolkit": "prompt-toolkit",
    "redis-py": "redis",
    "xgboost-cpu": "xgboost",
}
"""conda name to pip name."""

_SAME = """
absl-py aiohttp altair arrow astropy attrs autograd babel bcrypt beautifulsoup4 biopython blinker bokeh boto3
botocore bottleneck brotli cachetools catboost category_encoders certifi cffi chardet charset-normalizer click
cloudpickle colorama configargparse coverage cryptography cvxpy cycler cython dask datasets decorator deprecated
dill distributed docopt docutils et_xmlfile evaluate fastai fastapi fastparquet fasttext feather-format filelock
fire flask flask-cors fonttools formulaic fsspec future fuzzywuzzy gensim geopandas gevent gitpython gpy greenlet
grpcio gunicorn h5py hdbscan holidays html5lib httpx huggingface_hub hyperopt idna imageio imbalanced-learn implicit
importlib-metadata importlib-resources inflection interpret ipython isodate itsdangerous jax jinja2 jmespath joblib
json5 jsonpickle jsonschema keras kiwisolver lap lifelines lightfm lightgbm lightning lime llvmlite lxml lz4 mako
markdown markupsafe matplotlib mlxtend mock more-itertools mpmath msgpack multidict mypy natsort networkx nltk numba
numexpr numpy numpydoc nose oauthlib onnx onnxmltools onnxruntime openpyxl optuna orjson packaging pandas
pandas-profiling paramiko parso pathlib2 patsy pexpect pillow plotly plotnine pluggy polars portalocker pooch
prophet prometheus_client prompt-toolkit protobuf psutil py4j pyarrow pyasn1 pycocotools pycparser pycryptodome
pydantic pydot pygments pyjwt pymc pymc3 pymongo pymysql pyodbc pyopenssl pyparsing pyproj pyrsistent pysocks
pyspark pytest python-dateutil python-dotenv python-levenshtein python-snappy pytorch-lightning pytz pywavelets
pyyaml pyzmq rapidfuzz regex requests requests-oauthlib retrying rich s3fs s3transfer sacremoses safetensors
scikit-image scikit-learn scikit-optimize scipy seaborn sentence-transformers sentencepiece setuptools shap shapely
simplejson six sktime skl2onnx smart_open snowballstemmer sortedcontainers soupsieve spacy sqlalchemy sqlparse
starlette statsmodels sympy tabulate tblib tenacity tensorboard tensorflow tensorflow-estimator tensorflow-hub
tensorflow-probability termcolor textblob tf2onnx theano thinc threadpoolctl tiktoken timm tokenizers toml tomli
toolz torchaudio torchmetrics torchtext torchvision tornado tqdm traitlets transformers treeinterpreter typer
typing-extensions tzdata tzlocal ujson umap-learn unidecode urllib3 uvicorn vowpalwabbit wandb watchdog wcwidth
werkzeug wheel wordcloud wrapt xarray xgboost xlrd xlsxwriter xlwt xmltodict yarl yellowbrick zipp zstandard
"""
SAME = frozenset(_SAME.split())
"""Names that are the same project in both worlds."""

_BUNDLED = """
_libgcc_mutex _openmp_mutex blas bzip2 ca-certificates cudatoolkit cudnn freetype icu intel-openmp jpeg
ld_impl_linux-64 lcms2 libblas libcblas libcxx libffi libgcc libgcc-ng libgfortran libgfortran-ng libgfortran4
libgfortran5 libgomp liblapack libopenblas libpng libsodium libstdcxx-ng libtiff libwebp llvm-openmp lz4-c mkl
mkl-service mkl_fft mkl_random ncurses nomkl numpy-base openblas openssl pip python_abi readline sqlite tk vc
vs2015_runtime xz yaml zeromq zlib zstd cpuonly pytorch-cuda pytorch-mutex tensorflow-gpu-base _tflow_select
"""
BUNDLED = frozenset(_BUNDLED.split())
"""Parts of conda's own world: wheels carry what they need of these inside."""


def pip_name(conda_name: str) -> str | None:
    """The name on a pip index; an empty text for what wheels bring along, None for what is not known."""
    name = conda_name.lower()
    if name in BUNDLED:
        return ""
    if name in RENAMED:
        return RENAMED[name]
    return name if name in SAME or name.replace("_", "-") in SAME else None
