"""Writes evaluation_metrics.h5 (probabilities, labels, clips and what scikit-learn and Keras make of them) and
prints the literals of tests/evaluation/test_statistics.cpp. Needs numpy, scipy, scikit-learn, h5py, keras."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import h5py
import keras
import numpy as np
from scipy import stats
from sklearn import metrics

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(5)
C, K, S = 6, 25, 8
clip_label = rng.integers(0, C - 1, K)  # the last class has no clip: its recall is undefined
clip = np.repeat(rng.permutation(1000)[:K], S).astype(np.int32)
label = np.repeat(clip_label, S).astype(np.int32)
order = rng.permutation(K * S)
clip, label = clip[order], label[order]
logits = rng.normal(0, 2.2, (K * S, C))
logits[np.arange(K * S), label] += 2.4
logits[:, 2] -= 9  # a class that is never predicted: its precision is undefined
logits[:3] *= 40  # probabilities that underflow or reach one: the loss clips them
p = np.exp(logits - logits.max(1, keepdims=True))
p = (p / p.sum(1, keepdims=True)).astype(np.float32)
p[5, 0] = p[5, 1] = np.float32(0.45)  # a tie: the first wins
p[5, 2:] = np.float32(0.025)
prediction = p.argmax(1)
labels = np.arange(C)
precision, recall, f1, _ = metrics.precision_recall_fscore_support(label, prediction, labels=labels, zero_division=0)
clips = np.unique(clip)
mean = np.stack([p[clip == k].astype(np.float64).mean(0) for k in clips])
truth = np.array([label[clip == k][0] for k in clips])
confidence = p.max(1).astype(np.float64)
ece, bins = 0.0, 15
for b in range(bins):
    inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
    if inside.any():
        ece += inside.mean() * abs((prediction == label)[inside].mean() - confidence[inside].mean())
keras_loss = float(
    keras.ops.mean(keras.losses.sparse_categorical_crossentropy(label, keras.ops.convert_to_tensor(p)))
)
with h5py.File(os.path.join(here, "evaluation_metrics.h5"), "w") as f:
    f["probabilities"], f["label"], f["clip"] = p, label, clip
    f["prediction"] = prediction.astype(np.int32)
    f["confusion"] = metrics.confusion_matrix(label, prediction, labels=labels).astype(np.int32)
    f["precision"], f["recall"], f["f1"] = precision, recall, f1
    f["clip_probabilities"] = mean
    f["clip_label"] = truth.astype(np.int32)
    f["clip_name"] = clips
    f.attrs["accuracy"] = metrics.accuracy_score(label, prediction)
    f.attrs["macro_f1"] = metrics.f1_score(label, prediction, labels=np.unique(label), average="macro", zero_division=0)
    f.attrs["loss"] = -np.log(np.clip(p[np.arange(K * S), label].astype(np.float64), 1e-7, 1 - 1e-7)).mean()
    f.attrs["keras_loss"] = keras_loss
    f.attrs["clip_accuracy"] = (mean.argmax(1) == truth).mean()
    f.attrs["expected_error"] = ece

x = [0.71, 0.744, 0.7, 0.765, 0.7325]
print("t quantiles", [repr(float(stats.t.ppf(q, d))) for q, d in [(0.975, 1), (0.975, 4), (0.9, 2.5), (0.025, 30)]])
print("normal quantiles", [repr(float(stats.norm.ppf(q))) for q in (0.975, 0.5, 0.001)])
print("std", repr(float(np.std(x, ddof=1))))
print("t interval", stats.t.interval(0.95, len(x) - 1, np.mean(x), stats.sem(x)))
for k, n in [(232, 290), (0, 20), (20, 20), (1, 3)]:
    print("wilson", k, n, stats.binomtest(k, n).proportion_ci(0.95, "wilson"))
for b, c in [(3, 15), (0, 6), (10, 10), (0, 0), (70, 101), (1, 0)]:
    print("mcnemar", b, c, repr(float(stats.binomtest(min(b, c), b + c, 0.5).pvalue)) if b + c else 1.0)
values = (np.arange(290) < 232).astype(float)
result = stats.bootstrap((values,), np.mean, n_resamples=200000, method="percentile", rng=np.random.default_rng(0))
print("bootstrap", result.confidence_interval)
