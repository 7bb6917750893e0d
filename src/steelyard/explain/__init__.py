"""What tokens will do and what happened to them, in the rules' own figures."""
