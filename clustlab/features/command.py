"""``clustlab features``: a thin call of what lies beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clustlab.features.extraction import extract
from clustlab.features.network import NETWORKS
from clustlab.launch import progress

__all__ = ["features"]

console = Console(stderr=True)


def features(
    data: Annotated[str, typer.Option(help="Name of a data source, or path of a file, folder or zip of images.")],
    out: Annotated[Path, typer.Option(help="File to write, .npz; it is data for --data.")],
    network: Annotated[str, typer.Option(help=f"{', '.join(NETWORKS)}, or owner/name on the Hugging Face Hub.")] = "",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder with the network, as save_pretrained writes it; needs no connection.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images that the network sees at once.", min=1, max=4096)] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Turn images into features with a pretrained network; needs clustlab[features]."""
    try:
        with progress.bar(console) as display:
            task = display.add_task("opening images and network", total=None)
            written = extract(
                data,
                out,
                network=network,
                checkpoint=checkpoint,
                batch_size=batch_size,
                device=device,
                progress=lambda done, total: display.update(
                    task, description=f"{done:,} of {total:,} images", completed=done, total=total
                ),
            )
    except KeyboardInterrupt:
        console.print("stopped; nothing was written")
        raise SystemExit(130) from None
    typer.echo(written.resolve())
