"""Compare Adam and AMSGrad on text: made-up reviews as tokens, a network that begins with an Embedding.

Most gradients of an Embedding are zero in most steps, and large when a rare word comes: what AMSGrad was made for.

Run: python examples/compare_text.py [RESULTS]
"""

import sys

import keras
import numpy as np
from keras import layers

import studies

WORDS, LENGTH = 500, 20  # token 0 is padding


def reviews(rows):
    """Return tokens (rows, LENGTH) and labels (rows,): good reviews have more words with an even number than odd ones.

    Words are as rare as in a language: the k-th is k times rarer than the first. Reviews have 8 to LENGTH words.
    """
    random = np.random.default_rng(0)
    often = 1 / np.arange(1, WORDS)
    tokens = random.choice(np.arange(1, WORDS), (rows, LENGTH), p=often / often.sum())
    lengths = random.integers(8, LENGTH + 1, (rows, 1))
    tokens[np.arange(LENGTH) >= lengths] = 0
    even, odd = ((tokens > 0) & (tokens % 2 == rest) for rest in (0, 1))
    return tokens, (even.sum(1) > odd.sum(1)).astype(int)


def embedding():
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 8),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def main(out="results"):
    tokens, labels = reviews(500)
    found = studies.compare(
        embedding,
        tokens[:400],
        labels[:400],
        tokens[400:],
        labels[400:],
        data="reviews",
        out=out,
        grid={"learning_rate": [1e-2, 1e-1], "beta_2": [0.99, 0.999]},
        epochs=5,
    )
    for row in found.own.itertuples():
        print(f"{row.text} {row.verdict}: {row.sentence}")
    print(f"report: {out}/report.html")


if __name__ == "__main__":
    main(*sys.argv[1:])
