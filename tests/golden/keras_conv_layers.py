"""References for conv2d, max_pooling2d and batch_normalization from Keras in float64 (TensorFlow back end).

    KERAS_BACKEND=tensorflow python keras_conv_layers.py

writes keras_conv2d.h5, keras_pool2d.h5 and keras_bn.h5 beside itself, in the layout that layer_harness.hpp
describes. Inputs, parameters and output gradients are float32 values, so that both sides start from the same.
"""
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")
FOLDER = pathlib.Path(__file__).parent


def single(a):
    """Rounded to float32, as float64."""
    return np.asarray(a, dtype=np.float32).astype(np.float64)


def run_case(group, text, layer, x, seed, picture=None):
    """One layer: the gradients of one training step, and what a second one leaves in the moving statistics.

    picture: the shape that Keras sees, where it differs from that of x. Results are computed in float64 and
    stored as float32 (6e-8)."""
    rng = np.random.default_rng(seed)
    x = single(x)
    seen = x if picture is None else x.reshape(len(x), *picture)
    layer.build(seen.shape)

    def name(v):
        return v.path.split("/")[-1]

    def put(path, value):
        group[path] = np.asarray(value, dtype=np.float32)

    for v in layer.weights:
        value = rng.standard_normal(v.shape)
        if name(v) == "kernel":
            value /= np.sqrt(np.prod(v.shape[:-1]))
        if name(v) == "moving_variance":
            value = 0.5 + value**2
        v.assign(single(value))
        put(f"parameters/{name(v)}", v.numpy())
    group["layer"] = text
    put("x", x)
    inference = layer(tf.constant(seen), training=False).numpy()
    with tf.GradientTape() as tape:
        source = tf.constant(seen)
        tape.watch(source)
        y = layer(source, training=True)
        dy = single(rng.standard_normal(y.shape))
    gradients = tape.gradient(y, [source, *(v.value for v in layer.trainable_weights)], output_gradients=dy)
    put("y", y)
    put("dy", dy)
    put("dx", gradients[0].numpy().reshape(x.shape))
    for v, g in zip(layer.trainable_weights, gradients[1:]):
        put(f"gradients/{name(v)}", g)
    if layer.non_trainable_weights:
        put("y_inference", inference)
        for v in layer.non_trainable_weights:
            put(f"after/{name(v)}", v.numpy())
        layer(tf.constant(seen), training=True)
        for v in layer.non_trainable_weights:
            put(f"after_two/{name(v)}", v.numpy())


def normal(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


def convolutions():
    # name, (rows, H, W, C) or (rows, T, F), options in our words, arguments of Keras
    cases = [
        ("odd_valid", (3, 9, 7, 5), "filters: 6, kernel_size: [3, 2]", dict(filters=6, kernel_size=(3, 2))),
        ("odd_same", (3, 9, 7, 5), "filters: 6, kernel_size: [4, 3], padding: same, activation: tanh",
         dict(filters=6, kernel_size=(4, 3), padding="same", activation="tanh")),
        ("stride_valid", (2, 11, 8, 3), "filters: 7, kernel_size: 3, strides: [2, 3], activation: sigmoid",
         dict(filters=7, kernel_size=3, strides=(2, 3), activation="sigmoid")),
        ("stride_same", (2, 11, 8, 3), "filters: 33, kernel_size: [5, 4], strides: 2, padding: same, activation: relu",
         dict(filters=33, kernel_size=(5, 4), strides=2, padding="same", activation="relu")),
        ("stride_beyond_kernel", (2, 10, 9, 2), "filters: 4, kernel_size: 2, strides: 3, padding: same, use_bias: false",
         dict(filters=4, kernel_size=2, strides=3, padding="same", use_bias=False)),
        ("frames_first_layer", (3, 16, 13), "filters: 32, kernel_size: 3, activation: relu",
         dict(filters=32, kernel_size=3, activation="relu")),
        ("cnn_second_layer", (2, 9, 6, 32), "filters: 32, kernel_size: 3, activation: relu",
         dict(filters=32, kernel_size=3, activation="relu")),
        ("cnn_third_layer", (3, 15, 2, 32), "filters: 32, kernel_size: 2, activation: relu",
         dict(filters=32, kernel_size=2, activation="relu")),
        ("narrow_same", (2, 12, 2, 28), "filters: 9, kernel_size: [3, 4], padding: same, activation: relu",
         dict(filters=9, kernel_size=(3, 4), padding="same", activation="relu")),
        ("one_column", (2, 10, 3, 32), "filters: 6, kernel_size: [2, 3]", dict(filters=6, kernel_size=(2, 3))),
        ("deep_kernel", (2, 5, 5, 40), "filters: 8, kernel_size: 3, activation: elu",
         dict(filters=8, kernel_size=3, activation="elu")),
        ("many_filters", (1, 3, 4, 4), "filters: 310, kernel_size: [1, 2]", dict(filters=310, kernel_size=(1, 2))),
        ("one_place", (2, 3, 4, 2), "filters: 5, kernel_size: [3, 4], activation: softmax",
         dict(filters=5, kernel_size=(3, 4), activation="softmax")),
    ]
    with h5py.File(FOLDER / "keras_conv2d.h5", "w") as f:
        for i, (name, shape, text, options) in enumerate(cases):
            picture = (*shape[1:], 1) if len(shape) == 3 else None
            run_case(f.create_group(name), f"conv2d: {{{text}}}", keras.layers.Conv2D(**options), normal(shape, i),
                     100 + i, picture)


def pools():
    cases = [
        ("cnn_first_pool", (2, 14, 11, 32), "pool_size: 3, strides: 2, padding: same",
         dict(pool_size=3, strides=2, padding="same")),
        ("cnn_third_pool", (3, 15, 1, 20), "pool_size: 2, strides: 2, padding: same",
         dict(pool_size=2, strides=2, padding="same")),
        ("default", (2, 7, 9, 3), "", {}),
        ("valid_overlapping", (2, 9, 8, 17), "pool_size: [4, 3], strides: [1, 2]",
         dict(pool_size=(4, 3), strides=(1, 2))),
        ("same_all_sides", (2, 5, 6, 5), "pool_size: [4, 5], strides: [1, 1], padding: same",
         dict(pool_size=(4, 5), strides=1, padding="same")),
        ("stride_beyond_pool", (2, 11, 10, 4), "pool_size: 2, strides: 3", dict(pool_size=2, strides=3)),
        ("frames", (3, 12, 7), "pool_size: [3, 2]", dict(pool_size=(3, 2))),
    ]
    with h5py.File(FOLDER / "keras_pool2d.h5", "w") as f:
        for i, (name, shape, text, options) in enumerate(cases):
            picture = (*shape[1:], 1) if len(shape) == 3 else None
            run_case(f.create_group(name), f"max_pooling2d: {{{text}}}", keras.layers.MaxPooling2D(**options),
                     normal(shape, 20 + i), 120 + i, picture)
        # Equal values, as behind relu: whose is the gradient?
        run_case(f.create_group("ties"), "max_pooling2d: {pool_size: 3, strides: 2, padding: same}",
                 keras.layers.MaxPooling2D(pool_size=3, strides=2, padding="same"),
                 np.maximum(np.round(normal((2, 9, 8, 20), 40)), 0), 140)


def normalisations():
    cases = [
        ("picture", 3 * normal((4, 6, 5, 32), 60) + normal(32, 61), "", {}),
        ("vector", normal((12, 7), 62), "momentum: 0.9, epsilon: 0.01", dict(momentum=0.9, epsilon=0.01)),
        ("sequence", normal((5, 9, 13), 63), "center: false", dict(center=False)),
        ("no_scale", normal((5, 9, 13), 64), "scale: false", dict(scale=False)),
        ("moving_only", normal((6, 3, 20), 65), "scale: false, center: false", dict(scale=False, center=False)),
        # Deviation a thousandth of the mean: what float32 sums lose shows here.
        ("far_from_zero", 100 + 0.1 * normal((8, 30, 4), 66), "epsilon: 1e-6", dict(epsilon=1e-6)),
        ("one_value", normal((1, 19), 67), "", {}),
    ]
    with h5py.File(FOLDER / "keras_bn.h5", "w") as f:
        for i, (name, x, text, options) in enumerate(cases):
            run_case(f.create_group(name), f"batch_normalization: {{{text}}}",
                     keras.layers.BatchNormalization(**options), x, 160 + i)


convolutions()
pools()
normalisations()
