"""The studies of Bennatan, Collin and Ng, and their protocol on a problem small enough for a first look."""

from studies.catalog.network import NetworkStudy, Search, Setting

BENNATAN = 'Bennatan, Collin and Ng, "A Closer Look At The Convergence of Adam and AMSGrad"'

MCGILL_GRID = {"learning_rates": (1e-4, 1e-3, 1e-2, 0.1, 1.0), "beta_2s": (0.99, 0.9925, 0.995, 0.9975, 0.999)}

LEFT_OPEN_IN_NETWORKS = (
    "Both optimizers are bias-corrected, with epsilon 1e-8 (D).",
    "Initial weights are Glorot uniform, biases zero (D).",
    "Folds are stratified and shuffled with a fixed seed; the same seed gives every optimizer the same folds, initial "
    "weights and order of batches (D).",
    "The search keeps the setting with the lowest validation loss after the last epoch, averaged over the folds (D).",
    "Training loss and accuracy are means over an epoch while it trains, as Keras reports them (D).",
)

STUDIES = (
    NetworkStudy(
        name="digits",
        title="Adam and AMSGrad on handwritten digits",
        source="The protocol of Bennatan, Collin and Ng, at a size for a first look",
        question="Does AMSGrad beat Adam on a small network, once each has the settings that suit it?",
        data="digits",
        model="feedforward",
        search=Search(learning_rates=(1e-3, 1e-2, 0.1, 1.0), beta_2s=(0.99, 0.999), epochs=15),
        epochs=30,
        seeds=5,
        divide_by=16,
        published={},
        published_note="No source reports this study: the data are scikit-learn's bundled digits, 8 x 8 pixels.",
        left_open=("A quarter of the 1,797 images, stratified, is the test set (D).", *LEFT_OPEN_IN_NETWORKS),
    ),
    NetworkStudy(
        name="mcgill-logistic",
        title="Logistic regression on MNIST",
        source=BENNATAN,
        question="Is there a discernible difference between Adam and AMSGrad on a convex problem?",
        data="mnist",
        model="logistic",
        search=Search(**MCGILL_GRID, epochs=30),
        epochs=50,
        seeds=5,
        published={"Adam": Setting(0.001, 0.99), "AMSGrad": Setting(0.001, 0.99)},
        published_note="Table I of the source.",
        left_open=(
            "Pixels are divided by 255 (D).",
            "The loss is categorical cross-entropy on probabilities; the text says binary cross-entropy (D).",
            "The official split, 60,000 training and 10,000 test images (D).",
            *LEFT_OPEN_IN_NETWORKS,
        ),
    ),
)
