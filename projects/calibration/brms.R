# The two-parameter model of tallgrass, exactly, by brms (Stan): reads user,item,response from a CSV
# file, writes item,a,b,a_sd,b_sd.
#
#   theta ~ N(0, 1), log a ~ N(0, 0.2), b ~ N(0, 1), logit P = a (theta - b)
#   an anchor: log a ~ N(log a_previous, 0.05), b ~ N(b_previous, 0.05)
#
# The additive formula y ~ 1 + (1|user) + (1|item) + (1|item) has no product of a and theta and is
# another model. nl = TRUE writes the product; priors by item enter as data (means and standard
# deviations), so that every varying effect is standard normal.
here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(here), "common.R"))
given <- arguments(list(draws = 1000, tune = 1000, chains = 4, seed = 42))
need("brms")
suppressPackageStartupMessages(library(brms))

# Debian's package BH has no headers of its own: they are the system's.
if (!file.exists(rstan::rstan_options("boost_lib")) && file.exists("/usr/include/boost")) {
  rstan::rstan_options(boost_lib = "/usr/include")
}

data <- responses(given)
items <- sort(unique(data$item))
prior <- data.frame(item = items, loga0 = 0, loga1 = 0.2, b0 = 0, b1 = 1)
anchors <- anchors_of(given, items)
rows <- match(anchors$item, prior$item)
prior$loga0[rows] <- log(anchors$a)
prior$b0[rows] <- anchors$b
prior[rows, c("loga1", "b1")] <- 0.05
data <- merge(data, prior, by = "item")

formula <- bf(
  response ~ exp(loga0 + loga1 * za) * (theta - b0 - b1 * zb),
  theta ~ 0 + (1 | user),
  za ~ 0 + (1 | item),
  zb ~ 0 + (1 | item),
  nl = TRUE
)
standard <- c(
  set_prior("constant(1)", class = "sd", nlpar = "theta", group = "user"),
  set_prior("constant(1)", class = "sd", nlpar = "za", group = "item"),
  set_prior("constant(1)", class = "sd", nlpar = "zb", group = "item")
)
fit <- brm(
  formula, data = data, family = bernoulli("logit"), prior = standard,
  iter = given$draws + given$tune, warmup = given$tune, chains = given$chains,
  cores = min(given$chains, parallel::detectCores()), seed = given$seed, init = 0, refresh = 200
)
effects <- ranef(fit, summary = FALSE)$item
draws_of <- function(name) effects[, match(items, dimnames(effects)[[2]]), name, drop = TRUE]
a <- exp(sweep(sweep(draws_of("za_Intercept"), 2, prior$loga1, "*"), 2, prior$loga0, "+"))
b <- sweep(sweep(draws_of("zb_Intercept"), 2, prior$b1, "*"), 2, prior$b0, "+")
write_items(given, items, colMeans(a), colMeans(b), apply(a, 2, sd), apply(b, 2, sd))
cat(sprintf("R-hat max %.4f, divergences %d\n", max(rhat(fit), na.rm = TRUE),
            sum(subset(nuts_params(fit), Parameter == "divergent__")$Value)))
