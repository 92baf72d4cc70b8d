# TensorFlow with CUDA and what the studies need. On a machine with NVIDIA's container toolkit:
#
#     docker build --tag keras_amsgrad .
#     docker run --gpus all --volume "$PWD/results:/keras_amsgrad/results" keras_amsgrad
#
# The second command is `make study`: it compares Adam and AMSGrad on handwritten digits and writes results/report.html.
FROM python:3.11-slim
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /keras_amsgrad
COPY . .
RUN make .venv/studies.installed .venv/gpu.installed
CMD ["make", "study"]
