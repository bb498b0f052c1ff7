"""Golden values of the dense, activation and lstm layers, from Keras in float64 (TensorFlow back end).

Writes keras_dense.h5 and keras_lstm.h5 beside this script; their layout is described in nn/layer_harness.hpp.
Inputs and parameters are float32 numbers, so that both sides start from the same values; results are computed
in float64 and stored rounded to float32.
"""
import os
import pathlib

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")
here = pathlib.Path(__file__).parent


def hashed(count, number):
    """Numbers in [-1, 1) that C++ makes as well: see hashed() in layer_harness.hpp."""
    u = (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(number * 40503)) & np.uint64(0xFFFFFFFF)
    u ^= u >> np.uint64(15)
    u = (u * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    u ^= u >> np.uint64(13)
    return u.astype(np.float64) / 2**31 - 1


def case(file, name, text, layer, x_shape, names, seed, scale=None, every=None):
    """Runs one layer forward and backward with a random dy; `every`: parameters are hashed() and not stored,
    gradients are thinned to every so many elements."""
    random = np.random.default_rng(seed)
    group = file.create_group(name)
    group["layer"] = text
    x = random.standard_normal(x_shape).astype(np.float32)
    layer.build(x_shape)
    values = []
    for i, w in enumerate(layer.weights):
        s = scale or 1 / np.sqrt(np.prod(w.shape[:-1]))
        v = hashed(int(np.prod(w.shape)), i).reshape(w.shape) if every else random.standard_normal(w.shape)
        values.append((v * s).astype(np.float32))
    layer.set_weights(values)
    xt = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(xt)
        y = layer(xt, training=True)
        dy = random.standard_normal(y.shape).astype(np.float32)
        total = tf.reduce_sum(y * tf.constant(dy, tf.float64))
    gradients = tape.gradient(total, [xt] + [w.value for w in layer.trainable_weights])
    assert y.dtype == tf.float64
    for key, value in [("x", x), ("y", y), ("dy", dy), ("dx", gradients[0])]:
        group[key] = np.asarray(value, np.float32)
    assert len(names) == len(values)
    if every:
        group["every"] = np.array([every], np.int32)
        group["scale"] = np.array([scale], np.float64)
    for n, value, gradient in zip(names, values, gradients[1:]):
        gradient = np.asarray(gradient, np.float32)
        if every:
            group["gradients/" + n] = gradient.ravel()[::every]
        else:
            group["parameters/" + n] = value
            group["gradients/" + n] = gradient


L = keras.layers
with h5py.File(here / "keras_dense.h5", "w", libver=("v108", "v108")) as f:
    kb = ["kernel", "bias"]
    for seed, activation in enumerate(["linear", "relu", "sigmoid", "tanh", "elu", "softmax"]):
        case(f, f"vector_{activation}", f"dense: {{units: 7, activation: {activation}}}",
             L.Dense(7, activation=activation), (5, 11), kb, seed)
        case(f, f"activation_{activation}", f"activation: {activation}", L.Activation(activation), (3, 2, 4, 5), [], 20 + seed)
    case(f, "sequence_relu", "dense: {units: 6, activation: relu}", L.Dense(6, activation="relu"), (3, 17, 5), kb, 10)
    case(f, "sequence_softmax", "dense: {units: 6, activation: softmax}", L.Dense(6, activation="softmax"), (3, 17, 5), kb, 11)
    case(f, "no_bias", "dense: {units: 3, use_bias: false}", L.Dense(3, use_bias=False), (4, 9), kb[:1], 12)
    case(f, "one_unit", "dense: 1", L.Dense(1), (1, 1), kb, 13)
    case(f, "large", "dense: {units: 300, activation: relu}", L.Dense(300, activation="relu"), (9, 260), kb, 15, scale=0.1, every=61)

with h5py.File(here / "keras_lstm.h5", "w", libver=("v108", "v108")) as f:
    krb = ["kernel", "recurrent_kernel", "bias"]

    def lstm(name, seed, x_shape, units, every=None, scale=None, **options):
        text = ", ".join([f"units: {units}"] + [f"{k}: {str(v).lower()}" for k, v in options.items()])
        layer = L.LSTM(units, **options)
        case(f, name, f"lstm: {{{text}}}", layer, x_shape, krb if options.get("use_bias", True) else krb[:2], seed, scale, every)

    lstm("last_odd", 1, (5, 9, 3), 7)
    lstm("sequences_odd", 2, (5, 9, 3), 7, return_sequences=True)
    lstm("last_backwards", 3, (3, 6, 4), 5, go_backwards=True)
    lstm("sequences_backwards", 4, (3, 6, 4), 5, go_backwards=True, return_sequences=True)
    lstm("no_bias", 5, (4, 5, 2), 6, use_bias=False, return_sequences=True)
    lstm("one_of_all", 6, (1, 1, 1), 1)
    lstm("long", 7, (2, 130, 5), 4, return_sequences=True)
    lstm("long_last", 8, (2, 130, 13), 17)
    lstm("units_16", 9, (2, 4, 16), 16, return_sequences=True)
    lstm("many_rows", 10, (37, 5, 3), 9, return_sequences=True)
    lstm("large", 11, (11, 3, 13), 128, every=97, scale=0.15, return_sequences=True)
    lstm("large_stacked", 12, (6, 4, 128), 128, every=97, scale=0.1)
    lstm("units_48", 13, (7, 4, 20), 48, every=31, scale=0.15, return_sequences=True)
