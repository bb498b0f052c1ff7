"""Golden values of nadam, the focal loss and the schedules that Keras has, from Keras in float64 (TensorFlow back end).

    KERAS_BACKEND=tensorflow python keras_rates_and_losses.py

writes keras_rates_and_losses.h5 beside itself:
    /optimizers/<name>   [steps, 40] a parameter after each step, from hashed gradients (as keras_training.py)
    /focal/<name>        logits [rows, C], label [rows], gamma, alpha, smoothing (attributes), losses [rows], gradient [rows, C]
    /schedules/<name>    [epochs * 4] factors of steps, four to an epoch
    /plateau/<name>      monitored [epochs], rates [epochs + 1]: the rate before each epoch, and after the last
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

keras.backend.set_floatx("float64")
FOLDER = pathlib.Path(__file__).parent


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


def nadam(f):
    makers = {"nadam": keras.optimizers.Nadam(1e-3),
              "nadam_b": keras.optimizers.Nadam(0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-3)}
    for name, o in makers.items():
        p = tf.Variable(hashed(40, 1))
        trace = []
        for s in range(30):
            g = hashed(40, 100 + s) * 10.0 ** (-(np.arange(40) % 5).astype(np.float64))
            o.apply_gradients([(tf.constant(g.astype(np.float32).astype(np.float64)), p)])
            trace.append(p.numpy())
        f[f"optimizers/{name}"] = np.array(trace)


def focal(f):
    for name, gamma, alpha, smoothing in [("usual", 2.0, 0.25, 0.0), ("smoothed", 1.5, 1.0, 0.2), ("flat", 0.0, 1.0, 0.0),
                                          ("steep", 5.0, 0.5, 0.0)]:
        z = (3 * hashed(70, 5)).reshape(10, 7)
        label = np.arange(10, dtype=np.int32) * 3 % 7
        loss_of = keras.losses.CategoricalFocalCrossentropy(alpha=alpha, gamma=gamma, from_logits=True,
                                                            label_smoothing=smoothing, reduction="none")
        x = tf.constant(z)
        with tf.GradientTape() as tape:
            tape.watch(x)
            losses = loss_of(tf.one_hot(label, 7, dtype="float64"), x)
            mean = tf.reduce_mean(losses)
        g = f.create_group("focal/" + name)
        g["logits"], g["label"] = z, label
        g["losses"], g["gradient"] = losses.numpy(), tape.gradient(mean, x).numpy()
        g["options"] = np.array([gamma, alpha, smoothing])


def schedules(f):
    s, per_epoch = keras.optimizers.schedules, 4
    makers = {
        "exponential": s.ExponentialDecay(1.0, 10 * per_epoch, 0.5),
        "exponential_staircase": s.ExponentialDecay(1.0, 3 * per_epoch, 0.7, staircase=True),
        "cosine": s.CosineDecay(1.0, 20 * per_epoch, alpha=0.1),
        "cosine_restarts": s.CosineDecayRestarts(1.0, 3 * per_epoch, t_mul=2.0, m_mul=0.8, alpha=0.05),
        "cosine_even_restarts": s.CosineDecayRestarts(1.0, 5 * per_epoch, t_mul=1.0),
    }
    for name, schedule in makers.items():
        f["schedules/" + name] = np.array([float(schedule(float(step))) for step in range(20 * per_epoch)])


def plateaus(f):
    for name, values, options in [
            ("usual", [1, .9, .8, .81, .82, .8, .79995, .83, .7, .71, .72, .73, .74, .75, .76, .77], dict(factor=0.5, patience=3)),
            ("cooldown", [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], dict(factor=0.1, patience=2, cooldown=2, min_delta=0)),
            ("least", [1] * 14, dict(factor=0.3, patience=2, min_lr=0.05)),
            ("accuracy", [.1, .3, .2, .3, .3, .31, .2, .2, .2, .2], dict(factor=0.5, patience=3, mode="max", min_delta=0.02))]:
        model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1.0), "mse")
        callback = keras.callbacks.ReduceLROnPlateau(monitor="v", **{"mode": "min", **options})
        callback.set_model(model)
        callback.on_train_begin()
        rates = [1.0]
        for epoch, v in enumerate(values):
            callback.on_epoch_end(epoch, {"v": v})
            rates.append(float(model.optimizer.learning_rate.numpy()))
        f[f"plateau/{name}/monitored"], f[f"plateau/{name}/rates"] = np.array(values, dtype=float), np.array(rates)


with h5py.File(FOLDER / "keras_rates_and_losses.h5", "w", libver=("v108", "v108")) as f:
    nadam(f)
    focal(f)
    schedules(f)
    plateaus(f)
