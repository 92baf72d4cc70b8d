"""Compare Adam and AMSGrad on a convolutional network of your own: search, paired runs, verdicts, report.

Run: python examples/compare_convolutional.py [RESULTS]

From the command line, with the arrays in a file (numpy.savez("digits.npz", x_train=..., y_train=...)):

    python -m studies compare compare_convolutional:convolutional --data digits.npz
"""

import sys

import keras
from keras import layers
from sklearn.datasets import load_digits

import studies


def convolutional():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main(out="results"):
    images, labels = load_digits(return_X_y=True)
    found = studies.compare(
        convolutional,
        images.reshape(-1, 8, 8, 1)[:400] / 16,
        labels[:400],
        data="digits",
        out=out,
        grid={"learning_rate": [3e-3, 3e-2], "beta_2": [0.999]},
        epochs=4,
    )
    for row in found.own.itertuples():
        print(f"{row.text} {row.verdict}: {row.sentence}")
    print(f"report: {out}/report.html")


if __name__ == "__main__":
    main(*sys.argv[1:])
