"""Where a token's return went, how well it tracks, and what tokens will trade next."""
