"""Train two models on the same data."""

import joblib
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

data = load_diabetes(return_X_y=True)
joblib.dump(Ridge().fit(*data), "ridge.joblib")
joblib.dump(RandomForestRegressor(n_estimators=20, random_state=0).fit(*data), "forest.joblib")
