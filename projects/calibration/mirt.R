# The two-parameter model by mirt: marginal maximum likelihood with N(0, 1) abilities and no item
# priors, its default. Reads user,item,response from a CSV file, writes item,a,b,a_sd,b_sd.
here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(here), "common.R"))
given <- arguments(list())
need("mirt")
suppressPackageStartupMessages(library(mirt))

data <- responses(given)
items <- sort(unique(data$item))
users <- unique(data$user)
wide <- matrix(NA_integer_, length(users), length(items), dimnames = list(users, items))
wide[cbind(match(data$user, users), match(data$item, items))] <- data$response
# mirt refuses an item that everyone got right, or everyone wrong: nothing but a prior places it.
one_sided <- apply(wide, 2, function(x) length(unique(x[!is.na(x)])) < 2)
if (any(one_sided)) {
  message("left out, all right or all wrong: ", paste(items[one_sided], collapse = ", "))
  items <- items[!one_sided]
  wide <- wide[, !one_sided, drop = FALSE]
}
fit <- mirt(as.data.frame(wide), 1, itemtype = "2PL", SE = TRUE, verbose = FALSE)
if (!extract.mirt(fit, "converged")) fail("mirt did not converge")
# a and d of logit P = a theta + d; b = -d / a, its standard error by the delta method.
values <- coef(fit, printSE = TRUE, as.data.frame = FALSE)[items]
a <- sapply(values, function(one) one["par", "a1"])
d <- sapply(values, function(one) one["par", "d"])
a_se <- sapply(values, function(one) one["SE", "a1"])
d_se <- sapply(values, function(one) one["SE", "d"])
write_items(given, items, a, -d / a, a_se, sqrt((d_se / a)^2 + (d * a_se / a^2)^2))
