%% binaries: parsing comma-separated values by hand.
%% repeat: 4
-module(b_csv).
-export([run/0]).
run() -> B = iolist_to_binary([["row,", integer_to_list(I), ",\"quo\"\"ted, field\",", integer_to_list(I * 37), ",last\n"] || I <- lists:seq(1, 25000)]), L = rows(B, [], []), {length(L), erlang:phash2(L)}.
rows(<<>>, [], Rows) -> lists:reverse(Rows);
rows(<<$", R/binary>>, F, Rows) -> quoted(R, <<>>, F, Rows);
rows(B, F, Rows) -> plain(B, 0, B, F, Rows).
plain(B, N, All, F, Rows) ->
    case B of
        <<$,, R/binary>> -> rows(R, [binary:part(All, 0, N) | F], Rows);
        <<$\n, R/binary>> -> rows(R, [], [lists:reverse([binary:part(All, 0, N) | F]) | Rows]);
        <<_, R/binary>> -> plain(R, N + 1, All, F, Rows)
    end.
quoted(<<$", $", R/binary>>, A, F, Rows) -> quoted(R, <<A/binary, $">>, F, Rows);
quoted(<<$", $,, R/binary>>, A, F, Rows) -> rows(R, [A | F], Rows);
quoted(<<C, R/binary>>, A, F, Rows) -> quoted(R, <<A/binary, C>>, F, Rows).
