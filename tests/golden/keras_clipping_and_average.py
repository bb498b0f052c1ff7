"""Golden values of gradient clipping, averaged weights and frozen layers, from Keras in float64 (TensorFlow back end).

    KERAS_BACKEND=tensorflow python keras_clipping_and_average.py

writes keras_clipping_and_average.h5 beside itself, for each case a group with
    weights  [steps, P]  all weights after each step, flat, layer by layer
    average  [steps, P]  their moving average (cases with one)
    norm     [steps]     norm of the whole gradient before clipping, penalties included
    loss     [steps]     with penalties
The network: 6 inputs, dense 5 tanh with l1 0.01 and l2 0.02 on its kernel, dense 3; that of "frozen" stands below. Weights and
data are hashed values, as in keras_training.py; labels are i * 7 % 3.
"""
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import pathlib

import h5py
import keras
import numpy as np
import tensorflow as tf

from keras import layers as L

keras.backend.set_floatx("float64")
FOLDER = pathlib.Path(__file__).parent
STEPS, BATCH, INPUTS, CLASSES = 12, 8, 6, 3


def hashed(count, salt):
    """Uniform in [-1, 1), as tests/training/hashed.hpp."""
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(salt) * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(3266489917)) & mask
    h ^= h >> np.uint64(16)
    return (h.astype(np.float64) / 2.0**31 - 1.0).astype(np.float32).astype(np.float64)


def penalised():
    return L.Dense(5, "tanh", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02))


def frozen():
    """A batch normalisation and a dense layer with penalties that are not trained, between layers that are."""
    layers = [L.Dense(6, "tanh"), L.BatchNormalization(), penalised(), L.Dense(4, "tanh"), L.BatchNormalization(momentum=0.8),
              L.Dense(CLASSES)]
    layers[1].trainable = layers[2].trainable = False
    return layers


def run(f, name, optimizer, layers=None):
    layers = layers or [penalised(), L.Dense(CLASSES)]
    model = keras.Sequential([L.Input((INPUTS,))] + layers)
    variables = [w for layer in layers for w in layer.weights]
    for k, w in enumerate(variables):
        value = hashed(int(np.prod(w.shape)), 10 + k).reshape(w.shape)
        w.assign(np.abs(value) + np.float32(0.5) if w.name == "moving_variance" else value)
    x = 2 * hashed(STEPS * BATCH * INPUTS, 77).reshape(STEPS, BATCH, INPUTS)
    y = (np.arange(STEPS * BATCH) * 7 % CLASSES).reshape(STEPS, BATCH)
    loss_of = keras.losses.CategoricalCrossentropy(from_logits=True)
    flat = lambda values: np.concatenate([keras.ops.convert_to_numpy(v).ravel() for v in values])
    out = {"weights": [], "average": [], "norm": [], "loss": []}
    for s in range(STEPS):
        with tf.GradientTape() as tape:
            loss = loss_of(tf.one_hot(y[s], CLASSES, dtype="float64"), model(x[s], training=True))
            loss += tf.add_n(model.losses) if model.losses else 0.0
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        out["weights"].append(flat(variables))
        out["norm"].append(np.sqrt((flat(gradients) ** 2).sum()))
        out["loss"].append(float(loss))
        if optimizer.use_ema:
            out["average"].append(flat(optimizer._model_variables_moving_average))
    for key, values in out.items():
        if values:
            f[f"{name}/{key}"] = np.array(values)
    print(name, out["norm"])


with h5py.File(FOLDER / "keras_clipping_and_average.h5", "w", libver=("v108", "v108")) as f:
    sgd, adam = keras.optimizers.SGD, keras.optimizers.Adam
    run(f, "plain", sgd(0.1))
    run(f, "value", sgd(0.1, clipvalue=0.05))
    run(f, "norm", sgd(0.1, momentum=0.9, clipnorm=0.2))
    run(f, "global_norm", sgd(0.1, momentum=0.9, global_clipnorm=0.3))
    run(f, "adam_global_norm", adam(0.02, epsilon=1e-3, global_clipnorm=0.4))
    run(f, "average", sgd(0.1, use_ema=True, ema_momentum=0.8))
    run(f, "overwritten", adam(0.02, epsilon=1e-3, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5))
    run(f, "both", sgd(0.1, global_clipnorm=0.3, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4))
    run(f, "frozen", sgd(0.1, momentum=0.9), frozen())
