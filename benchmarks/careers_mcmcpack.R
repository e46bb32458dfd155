# The dynamic model of MCMCpack (Martin and Quinn 2002) on votes from a folder; see careers_mcmcpack.py.
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
mcmc <- as.integer(arguments[2])
suppressPackageStartupMessages(library(MCMCpack))
votes <- as.matrix(read.csv(file.path(folder, "votes.csv"), row.names = 1, check.names = FALSE))
sessions <- read.csv(file.path(folder, "sessions.csv"))$session
start <- read.csv(file.path(folder, "start.csv"))
constraints <- as.list(start$sign[start$sign != ""])
names(constraints) <- start$person[start$sign != ""]
began <- proc.time()[["elapsed"]]
fit <- MCMCdynamicIRT1d(
  votes, item.time.map = sessions, theta.constraints = constraints, theta.start = start$score,
  burnin = mcmc %/% 10, mcmc = mcmc, thin = max(1, mcmc %/% 4000), seed = 1,
  c0 = 5, d0 = 0.5, store.ability = TRUE, store.item = FALSE
)
seconds <- proc.time()[["elapsed"]] - began
write.csv(as.data.frame(as.matrix(fit)), file.path(folder, "draws.csv"), row.names = FALSE)
cat(seconds, "\n", file = file.path(folder, "seconds.txt"))
