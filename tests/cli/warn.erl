-module(warn).
-export([f/1]).
f(X) -> Y = 1, g(X).
g(X) -> X.
h() -> ok.
