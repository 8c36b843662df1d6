"""Networks: encoders, decoders and critics, built from a sample's shape and the ``network`` part of the spec.

They know neither losses nor training. Each kind is a file with ``encoder(shape, network)`` and
``decoder(shape, network)``; copy ``mlp.py`` to add one, and name it in ``spec.Network.kind``.
"""

from clustlab.networks.autoencoder import Autoencoder
from clustlab.networks.critic import Critic

__all__ = ["Autoencoder", "Critic"]
