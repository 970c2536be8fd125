// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {GovernedModule} from "./base/PausableModule.sol";

/// Holds the stakes of agents, validators and platforms, in the chain's own coin. It never pays rewards.
contract StakeManager is GovernedModule {
    enum Role {
        Agent,
        Validator,
        Platform
    }

    uint256 public minStake;
    uint256 public feePct;
    uint256 public burnPct;
    address public treasury;
    address public slasher;
    mapping(address => mapping(Role => uint256)) public stakeOf;
    mapping(Role => uint256) public totalStake;

    event StakeDeposited(address indexed user, Role indexed role, uint256 amount);
    event StakeWithdrawn(address indexed user, Role indexed role, uint256 amount);
    event StakeSlashed(address indexed user, Role indexed role, uint256 amount, address recipient);
    event MinStakeUpdated(uint256 minStake);
    event FeePctUpdated(uint256 pct);
    event BurnPctUpdated(uint256 pct);
    event TreasuryUpdated(address indexed treasury);

    error BelowMinStake(uint256 amount, uint256 minStake);
    error InsufficientStake(uint256 available, uint256 wanted);
    error InvalidPercentage(uint256 pct);
    error NotSlasher(address caller);
    error TransferFailed();

    constructor(address governance_, address slasher_, address treasury_, uint256 minStake_, uint256 feePct_, uint256 burnPct_)
        GovernedModule(governance_)
    {
        slasher = slasher_;
        treasury = treasury_;
        minStake = minStake_;
        feePct = feePct_;
        burnPct = burnPct_;
    }

    function depositStake(Role role) external payable whenNotPaused {
        uint256 stake = stakeOf[msg.sender][role] + msg.value;
        if (stake < minStake) revert BelowMinStake(stake, minStake);
        stakeOf[msg.sender][role] = stake;
        totalStake[role] += msg.value;
        emit StakeDeposited(msg.sender, role, msg.value);
    }

    function withdrawStake(Role role, uint256 amount) external whenNotPaused {
        _reduce(msg.sender, role, amount);
        emit StakeWithdrawn(msg.sender, role, amount);
        _send(msg.sender, amount);
    }

    function slash(address user, Role role, uint256 amount, address recipient) external whenNotPaused {
        if (msg.sender != slasher) revert NotSlasher(msg.sender);
        _reduce(user, role, amount);
        emit StakeSlashed(user, role, amount, recipient);
        _send(recipient, amount);
    }

    function setMinStake(uint256 value) external onlyGovernance {
        minStake = value;
        emit MinStakeUpdated(value);
    }

    function setFeePct(uint256 pct) external onlyGovernance {
        if (pct > 100) revert InvalidPercentage(pct);
        feePct = pct;
        emit FeePctUpdated(pct);
    }

    function setBurnPct(uint256 pct) external onlyGovernance {
        if (pct > 100) revert InvalidPercentage(pct);
        burnPct = pct;
        emit BurnPctUpdated(pct);
    }

    function setTreasury(address treasury_) external onlyGovernance {
        treasury = treasury_;
        emit TreasuryUpdated(treasury_);
    }

    function _reduce(address user, Role role, uint256 amount) private {
        uint256 available = stakeOf[user][role];
        if (amount > available) revert InsufficientStake(available, amount);
        stakeOf[user][role] = available - amount;
        totalStake[role] -= amount;
    }

    function _send(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }
}
