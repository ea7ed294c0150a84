"""Trains a small classifier on scikit-learn's wine data: `python train_wine.py MODEL.joblib`.

It runs in the environment of the server that loads the file, so that both have the same scikit-learn.
"""

import sys

import joblib
from sklearn.datasets import load_wine
from sklearn.naive_bayes import GaussianNB

if __name__ == "__main__":
    wine = load_wine()
    joblib.dump(GaussianNB().fit(wine.data, wine.target), sys.argv[1])
