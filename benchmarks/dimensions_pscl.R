# Two-dimensional ideal points of the 109th US Senate by pscl's MCMC; see dimensions_external.py.
arguments <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages(library(pscl))
data(s109)
votes <- dropUnanimous(s109, lop = 0)
fit <- ideal(votes, d = 2, maxiter = as.integer(arguments[2]), burnin = as.integer(arguments[2]) / 5,
  thin = 10, normalize = TRUE)
write.csv(
  data.frame(icpsr = votes$legis.data$icpsrLegis, dim1 = fit$xbar[, 1], dim2 = fit$xbar[, 2]),
  arguments[1], row.names = FALSE
)
