"""Writes results_cnn.h5 and results_lstm.h5: small models saved by Keras itself (the legacy HDF5 format), with
features and the probabilities Keras makes of them in /golden. Needs keras, tensorflow, h5py."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import h5py
import keras
import numpy as np
from keras import layers

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)
T, F, C, N = 12, 5, 3, 9
features = rng.normal(1.5, 2.0, (N, T, F)).astype(np.float32)


def cnn():
    return keras.Sequential(
        [
            keras.Input((T, F, 1)),
            layers.Conv2D(4, (3, 3), activation="relu"),
            layers.MaxPooling2D((3, 3), strides=(2, 2), padding="same"),
            layers.BatchNormalization(),
            layers.Conv2D(3, (2, 2), activation="relu"),
            layers.Flatten(),
            layers.Dense(6, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(C, activation="softmax"),
        ]
    )


def lstm():
    return keras.Sequential(
        [
            keras.Input((T, F)),
            layers.LSTM(4, return_sequences=True),
            layers.LSTM(3),
            layers.Dropout(0.2),
            layers.Dense(C, activation="softmax"),
        ]
    )


for name, build in (("cnn", cnn), ("lstm", lstm)):
    keras.backend.clear_session()
    model = build()
    model.set_weights(
        [
            (rng.uniform(0.5, 2, w.shape) if "variance" in w.path else rng.normal(0, 0.5, w.shape)).astype(np.float32)
            for w in model.weights
        ]
    )
    x = features[..., None] if name == "cnn" else features
    path = os.path.join(here, f"results_{name}.h5")
    model.save(path)
    with h5py.File(path, "a") as f:
        f["golden/features"] = features
        f["golden/probabilities"] = model.predict(x, verbose=0)
