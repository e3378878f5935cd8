"""Train on the iris data set and write the model's file."""

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

flowers, kinds = load_iris(return_X_y=True)
joblib.dump(LogisticRegression(max_iter=500).fit(flowers, kinds), "iris.joblib")
