"""Tables of features as other programs write them, and what scikit-learn makes of one: numpy, h5py, scikit-learn.

    python3 external_tables.py      # in a virtual environment with numpy, h5py and scikit-learn

external_stored.npz    X <f4 [12, 5, 3], Y <i8, IDS <U, groups <U (with letters beyond ASCII), as numpy.savez writes them
external_deflated.npz  the same: X <f8, Y texts, as numpy.savez_compressed does
external_pickle.npz    X of objects: a pickle
external_others.h5     the same in /deep/{X,y,who}, X in deflated chunks
external_logistic.csv  200 rows of 8 numbers, three classes: id,...,label
external_logistic.h5   /penalty [7], /probabilities [7, test rows, 3] of LogisticRegression(C = 1 / penalty), trained on the first
                       120 rows, standardised by them; the test rows are the last 40
"""
import os

import h5py
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20)
names = np.array(["blues", "jazz", "rock"])

label = np.repeat([0, 1, 2], 4)
X = (np.arange(12 * 5 * 3).reshape(12, 5, 3) / 7).astype("<f4")
ids = np.array([f"{names[l]}/{names[l]}.{i // 2:05}.au" for i, l in enumerate(label)])  # two rows a clip
groups = np.array([["Béla", "Ella", "日本"][l] for l in label])
np.savez(f"{here}/external_stored.npz", X=X, Y=label, IDS=ids, groups=groups, label_names=names)
np.savez_compressed(f"{here}/external_deflated.npz", X=X.astype("<f8"), Y=names[label], IDS=ids)
np.savez(f"{here}/external_pickle.npz", X=np.array([{"a": 1}, None], dtype=object), Y=np.array([0, 1]))
with h5py.File(f"{here}/external_others.h5", "w") as f:
    f.create_dataset("deep/X", data=X, chunks=(3, 5, 3), compression="gzip")
    f["deep/y"] = label.astype("u1")
    f.create_dataset("deep/who", data=[i.encode() for i in ids])

n, width = 200, 8
label = rng.integers(0, 3, n)
centre = rng.normal(0, 1.2, (3, width))
table = (centre[label] + rng.normal(0, 1.5, (n, width))) * 10.0 ** rng.integers(-3, 4, width) + 2
with open(f"{here}/external_logistic.csv", "w") as f:
    f.write("id," + ",".join(f"x{i}" for i in range(width)) + ",label\n")
    for i in range(n):
        f.write(f"{names[label[i]]}.{i:05}.wav," + ",".join(f"{v:.9g}" for v in table[i]) + f",{names[label[i]]}\n")
scaler = StandardScaler().fit(table[:120])
train, test = scaler.transform(table[:120]), scaler.transform(table[160:])
penalties = [1000, 100, 10, 1, 0.1, 0.01, 0.001]
out = []
for p in penalties:
    model = LogisticRegression(C=1 / p, tol=1e-10, max_iter=100000).fit(train, label[:120])
    out.append(model.predict_proba(test))
with h5py.File(f"{here}/external_logistic.h5", "w") as f:
    f["penalty"] = np.array(penalties)
    f["probabilities"] = np.array(out)
