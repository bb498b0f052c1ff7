"""Golden values for AdamW: a network's parameters after each of six steps, from given gradients.

Keras in float64. Parameters and gradients come from an integer hash that the test computes as well, so only results are
stored. Parameter k has the hash of salt k + 1, its gradient at step s that of salt 100 + 10 s + k, smaller from element to
element.

    python keras_adamw.py            # writes keras_adamw.h5 beside this file
"""
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import numpy as np
import keras

keras.backend.set_floatx("float64")
STEPS = 6


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


makers = {
    "adamw": (keras.optimizers.AdamW(), []),
    "adamw_b": (keras.optimizers.AdamW(0.02, weight_decay=0.3, beta_1=0.8, beta_2=0.95, epsilon=1e-3), []),
    "adamw_exclude": (keras.optimizers.AdamW(0.02, weight_decay=0.3), ["bias", "gamma", "beta"]),
    "adamw_no_decay": (keras.optimizers.AdamW(0.02, weight_decay=0.0), []),
}
with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_adamw.h5"), "w") as f:
    for name, (optimizer, exclude) in makers.items():
        layers = [keras.layers.Dense(5), keras.layers.BatchNormalization(), keras.layers.Dense(3)]
        model = keras.Sequential([keras.layers.Input((4,))] + layers)
        variables = model.trainable_variables  # kernel bias gamma beta kernel bias
        for k, v in enumerate(variables):
            v.assign(hashed(v.shape.num_elements(), k + 1).reshape(v.shape))
        optimizer.build(variables)
        if exclude:
            optimizer.exclude_from_weight_decay(var_names=exclude)
        trace = []
        for s in range(STEPS):
            gradients = []
            for k, v in enumerate(variables):
                n = v.shape.num_elements()
                g = hashed(n, 100 + 10 * s + k) * 10.0 ** (-(np.arange(n) % 5).astype(np.float64))
                gradients.append(g.astype(np.float32).astype(np.float64).reshape(v.shape))
            optimizer.apply(gradients, variables)
            trace.append(np.concatenate([np.array(v).ravel() for v in variables]))
        f[name] = np.array(trace)
        f[name].attrs["parameters"] = " ".join(f"{v.name}:{v.shape.num_elements()}" for v in variables)
        print(name, f[name].attrs["parameters"], trace[-1][:3])
