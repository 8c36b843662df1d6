"""Networks: encoders, decoders, critics and discriminators, built from a sample's shape and the spec's ``network``.

They know neither losses nor training. Each kind is a file with ``encoder(shape, network)`` and
``decoder(shape, network)``; copy ``mlp.py`` to add one, and name it in ``spec.Network.kind``.
"""

from clustlab.networks.autoencoder import Autoencoder
from clustlab.networks.critic import Critic
from clustlab.networks.discriminator import Discriminator
from clustlab.networks.variational import VariationalAutoencoder, VariationalEncoder

__all__ = ["Autoencoder", "Critic", "Discriminator", "VariationalAutoencoder", "VariationalEncoder"]
