"""Golden values of gru, bidirectional, 1-D convolution, poolings, layer normalisation, reshape, permute and further
activations, from Keras in float64 (TensorFlow back end).

    KERAS_BACKEND=tensorflow python keras_more_layers.py

writes keras_more_layers.h5 beside itself, in the layout that nn/layer_harness.hpp describes. Inputs, parameters and output
gradients are float32 numbers, so that both sides start from the same; results are stored rounded to float32.
"""
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")
L = keras.layers
FOLDER = pathlib.Path(__file__).parent


def name_of(variable):
    """kernel; of a bidirectional layer forward_kernel and backward_kernel."""
    parts = variable.path.split("/")
    side = next((p.split("_")[0] + "_" for p in parts if p.startswith(("forward_", "backward_"))), "")
    return side + parts[-1]


def case(file, name, text, layer, shape, seed, picture=None):
    """picture: the shape that Keras sees, where it differs."""
    random = np.random.default_rng(seed)
    group = file.create_group(name)
    group["layer"] = text
    x = random.standard_normal(shape).astype(np.float32)
    seen = x.reshape(len(x), *picture) if picture else x
    layer.build(seen.shape)
    values = []
    for w in layer.weights:
        scale = 1 / np.sqrt(np.prod(w.shape[:-1])) if len(w.shape) > 1 else 1
        values.append((random.standard_normal(w.shape) * scale).astype(np.float32))
        group["parameters/" + name_of(w)] = values[-1]
    layer.set_weights(values)
    xt = tf.constant(seen, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(xt)
        y = layer(xt, training=True)
        dy = random.standard_normal(y.shape).astype(np.float32)
        total = tf.reduce_sum(y * tf.constant(dy, tf.float64))
    gradients = tape.gradient(total, [xt] + [w.value for w in layer.trainable_weights])
    assert y.dtype == tf.float64
    for key, value in [("x", x), ("y", y), ("dy", dy), ("dx", gradients[0])]:
        group[key] = np.asarray(value, np.float32)
    for w, gradient in zip(layer.trainable_weights, gradients[1:]):
        group["gradients/" + name_of(w)] = np.asarray(gradient, np.float32)


with h5py.File(FOLDER / "keras_more_layers.h5", "w", libver=("v108", "v108")) as f:
    case(f, "gru_sequence", "gru: {units: 5, return_sequences: true}", L.GRU(5, return_sequences=True), (4, 7, 3), 1)
    case(f, "gru_last", "gru: 9", L.GRU(9), (23, 6, 4), 2)
    case(f, "gru_backwards", "gru: {units: 4, go_backwards: true, return_sequences: true, use_bias: false}",
         L.GRU(4, go_backwards=True, return_sequences=True, use_bias=False), (3, 5, 6), 3)
    case(f, "gru_wide", "gru: {units: 33}", L.GRU(33), (12, 40, 17), 4)
    case(f, "bidirectional_lstm", "bidirectional: {layer: {lstm: {units: 4, return_sequences: true}}}",
         L.Bidirectional(L.LSTM(4, return_sequences=True)), (3, 6, 5), 5)
    case(f, "bidirectional_gru", "bidirectional: {layer: {gru: {units: 5}}, merge_mode: mul}",
         L.Bidirectional(L.GRU(5), merge_mode="mul"), (4, 5, 3), 6)
    case(f, "bidirectional_mean", "bidirectional: {layer: {lstm: {units: 3, use_bias: false}}, merge_mode: ave}",
         L.Bidirectional(L.LSTM(3, use_bias=False), merge_mode="ave"), (4, 5, 3), 7)
    case(f, "bidirectional_sum", "bidirectional: {layer: {gru: {units: 3, return_sequences: true}}, merge_mode: sum}",
         L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"), (4, 5, 3), 8)
    case(f, "conv1d", "conv1d: {filters: 6, kernel_size: 3, activation: relu}", L.Conv1D(6, 3, activation="relu"), (4, 11, 5), 20)
    case(f, "conv1d_same", "conv1d: {filters: 17, kernel_size: 4, strides: 2, padding: same, use_bias: false}",
         L.Conv1D(17, 4, strides=2, padding="same", use_bias=False), (3, 12, 7), 21)
    case(f, "conv1d_whole", "conv1d: {filters: 3, kernel_size: 5, activation: tanh}", L.Conv1D(3, 5, activation="tanh"), (2, 5, 4), 22)
    case(f, "conv1d_selu", "conv1d: {filters: 3, kernel_size: 2, activation: selu}", L.Conv1D(3, 2, activation="selu"), (2, 5, 4), 23)
    case(f, "average_pooling2d", "average_pooling2d", L.AveragePooling2D(2), (3, 7, 9, 5), 30)
    case(f, "average_pooling2d_same", "average_pooling2d: {pool_size: [3, 2], strides: [2, 3], padding: same}",
         L.AveragePooling2D((3, 2), strides=(2, 3), padding="same"), (2, 8, 7, 18), 31)
    case(f, "average_pooling2d_of_frames", "average_pooling2d: {pool_size: [2, 3]}", L.AveragePooling2D((2, 3)), (2, 8, 7), 32,
         picture=(8, 7, 1))
    case(f, "average_pooling1d", "average_pooling1d: {pool_size: 3, strides: 2, padding: same}",
         L.AveragePooling1D(3, strides=2, padding="same"), (3, 9, 6), 33)
    case(f, "max_pooling1d", "max_pooling1d: {pool_size: 3, strides: 2}", L.MaxPooling1D(3, strides=2), (3, 10, 6), 34)
    case(f, "max_pooling1d_same", "max_pooling1d: {pool_size: 4, padding: same}", L.MaxPooling1D(4, padding="same"), (3, 10, 6), 35)
    case(f, "global_average_pooling1d", "global_average_pooling1d", L.GlobalAveragePooling1D(), (3, 9, 5), 36)
    case(f, "global_max_pooling1d", "global_max_pooling1d", L.GlobalMaxPooling1D(), (3, 9, 5), 37)
    case(f, "global_average_pooling2d", "global_average_pooling2d", L.GlobalAveragePooling2D(), (3, 4, 6, 19), 38)
    case(f, "global_max_pooling2d", "global_max_pooling2d", L.GlobalMaxPooling2D(), (3, 4, 6, 19), 39)
    case(f, "layer_normalization", "layer_normalization", L.LayerNormalization(), (4, 6, 13), 50)
    case(f, "layer_normalization_vector", "layer_normalization: {epsilon: 1e-6}", L.LayerNormalization(epsilon=1e-6), (7, 37), 51)
    case(f, "layer_normalization_scale", "layer_normalization: {center: false}", L.LayerNormalization(center=False), (4, 3, 2, 8), 52)
    case(f, "layer_normalization_bare", "layer_normalization: {center: false, scale: false}",
         L.LayerNormalization(center=False, scale=False), (4, 9), 53)
    case(f, "reshape", "reshape: {target_shape: [-1, 6]}", L.Reshape((-1, 6)), (2, 4, 3, 2), 60)
    case(f, "permute", "permute: [3, 1, 2]", L.Permute((3, 1, 2)), (2, 4, 3, 5), 61)
    case(f, "permute_frames", "permute: [2, 1]", L.Permute((2, 1)), (2, 4, 3), 62)
    for seed, activation in enumerate(["leaky_relu", "selu", "silu", "gelu"]):
        case(f, f"activation_{activation}", f"activation: {activation}", L.Activation(activation), (5, 3, 4), 70 + seed)
    for seed, activation in enumerate(["leaky_relu", "selu"]):
        case(f, f"dense_{activation}", f"dense: {{units: 7, activation: {activation}}}", L.Dense(7, activation=activation), (5, 11),
             80 + seed)
