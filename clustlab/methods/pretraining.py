"""What most methods begin with: an autoencoder that learns to reconstruct."""

from clustlab.methods.base import Optimiser, Phase, Player, Samples, Term
from clustlab.networks import Autoencoder
from clustlab.objectives.reconstruction import squared_error
from clustlab.spec import Training

__all__ = ["autoencode", "pretrain", "reconstruction", "steps_per_epoch"]

reconstruction = Term(
    "reconstruction",
    lambda current: squared_error(current.x_hat, current.x),
    symbol="‖x − x̂‖²",
    latex=r"\lVert x - \hat{x} \rVert^2",
    help="Squared error of the reconstruction, mean over the sample's features.",
)


def autoencode(autoencoder: Autoencoder, samples: Samples, training: Training) -> Phase:
    """Return the phase that trains an autoencoder end to end with Adam.

    The end-to-end recipe of most later work instead of DEC's layer-wise one: with PyTorch's initialisation it needs
    no stacked pretraining (methods of the family are compared on the same start).
    """
    return Phase(
        name="pretrain",
        title="autoencoder",
        stage="pretraining",
        steps=training.epochs * steps_per_epoch(samples, training),
        players=(
            Player(
                "autoencoder",
                tuple(autoencoder.parameters()),
                (reconstruction,),
                Optimiser("adam", training.learning_rate),
            ),
        ),
        encode=autoencoder.encoder,
        decode=autoencoder.decoder,
    )


def steps_per_epoch(samples: Samples, training: Training) -> int:
    """Return the mini-batches in an epoch: whole ones only, the rest of the shuffled samples waits for the next."""
    return max(1, len(samples) // training.batch_size)


def pretrain(autoencoder: Autoencoder, samples: Samples, training: Training) -> list[Phase]:
    """Return the phases of the pretraining that the spec asks for."""
    return [autoencode(autoencoder, samples, training)]
