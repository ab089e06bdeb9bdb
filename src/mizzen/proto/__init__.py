"""Messages that the package xds-protos lacks, one module per ``.proto`` file beside it."""
