"""Golden values of layers over sequences with masked steps, from Keras in float64 (TensorFlow back end).

    KERAS_BACKEND=tensorflow python keras_masking.py

writes keras_masking.h5 beside itself, in the layout that nn/layer_harness.hpp describes; `mask` [N, T] is 1 where a step counts.
The rows of a mask: none masked, leading, inner and trailing steps masked, every other one, all but one, and (but for the mean,
where Keras divides 0 by 0) all. Inputs, parameters and output gradients are float32 numbers, so that both sides start from the
same; results are stored rounded to float32.
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


def mask_of(steps, whole_rows):
    t = np.arange(steps)
    rows = [t >= 0, t >= 2, (t < 2) | (t > 3), t < steps - 2, t % 2 == 1, t == 1, (t > 0) & (t != 3) & (t < steps - 1)]
    return np.array(rows + ([t < 0] if whole_rows else []))


def case(file, name, text, layer, shape, seed, whole_rows=True):
    random = np.random.default_rng(seed)
    group = file.create_group(name)
    group["layer"] = text
    makes = isinstance(layer, L.Masking)
    mask = mask_of(shape[0], whole_rows)
    x = random.standard_normal((len(mask), *shape)).astype(np.float32)
    if makes:
        x[~mask] = layer.mask_value
        x[0, 1, 0] = layer.mask_value  # one value of a step masks nothing
    else:
        group["mask"] = mask.astype(np.int32)
    layer.build(x.shape)
    values = []
    for w in layer.weights:
        scale = 1 / np.sqrt(np.prod(w.shape[:-1])) if len(w.shape) > 1 else 1
        values.append((random.standard_normal(w.shape) * scale).astype(np.float32))
        group["parameters/" + name_of(w)] = values[-1]
    if values:
        layer.set_weights(values)
    xt = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(xt)
        y = layer(xt) if makes else layer(xt, mask=tf.constant(mask), training=True)
        dy = random.standard_normal(y.shape).astype(np.float32)
        total = tf.reduce_sum(y * tf.constant(dy, tf.float64))
    gradients = tape.gradient(total, [xt] + [w.value for w in layer.trainable_weights])
    assert y.dtype == tf.float64
    for key, value in [("x", x), ("y", y), ("dy", dy), ("dx", gradients[0])]:
        group[key] = np.asarray(value, np.float32)
    for w, gradient in zip(layer.trainable_weights, gradients[1:]):
        group["gradients/" + name_of(w)] = np.asarray(gradient, np.float32)


class Mean(L.GlobalAveragePooling1D):
    """Takes `training`, as the others do."""

    def call(self, inputs, mask=None, training=None):
        return super().call(inputs, mask=mask)


with h5py.File(FOLDER / "keras_masking.h5", "w", libver=("v108", "v108")) as f:
    case(f, "masking", "masking", L.Masking(), (6, 3), 1)
    case(f, "masking_value", "masking: -1.5", L.Masking(-1.5), (7, 2), 2)
    case(f, "lstm_sequence", "lstm: {units: 5, return_sequences: true}", L.LSTM(5, return_sequences=True), (8, 3), 3)
    case(f, "lstm_last", "lstm: 6", L.LSTM(6), (7, 4), 4)
    case(f, "lstm_backwards", "lstm: {units: 5, return_sequences: true, go_backwards: true}",
         L.LSTM(5, return_sequences=True, go_backwards=True), (8, 3), 5)
    case(f, "lstm_backwards_last", "lstm: {units: 3, go_backwards: true, use_bias: false}",
         L.LSTM(3, go_backwards=True, use_bias=False), (6, 4), 6)
    case(f, "gru_sequence", "gru: {units: 5, return_sequences: true}", L.GRU(5, return_sequences=True), (8, 3), 7)
    case(f, "gru_last", "gru: 7", L.GRU(7), (9, 4), 8)
    case(f, "gru_backwards", "gru: {units: 4, return_sequences: true, go_backwards: true}",
         L.GRU(4, return_sequences=True, go_backwards=True), (7, 3), 9)
    for seed, mode in enumerate(["concat", "sum", "mul", "ave"]):
        case(f, f"bidirectional_lstm_{mode}", f"bidirectional: {{layer: {{lstm: {{units: 4, return_sequences: true}}}}, merge_mode: {mode}}}",
             L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=mode), (8, 3), 20 + seed)
        case(f, f"bidirectional_gru_{mode}", f"bidirectional: {{layer: {{gru: 4}}, merge_mode: {mode}}}",
             L.Bidirectional(L.GRU(4), merge_mode=mode), (7, 3), 30 + seed)
    case(f, "global_average_pooling1d", "global_average_pooling1d", Mean(), (8, 5), 40, whole_rows=False)
