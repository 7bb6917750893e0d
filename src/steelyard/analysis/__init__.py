"""Analysis of runs: attribution of returns, tracking, and forecasts of the tokens' order flow."""
